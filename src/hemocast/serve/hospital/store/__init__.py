"""What the service knows: studies, images, jobs, results, and every move of them."""
