"""Who is trained on and who is tested, with proof that nobody is in both."""
