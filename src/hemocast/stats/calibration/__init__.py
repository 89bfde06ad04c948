"""Whether predicted risks agree with observed frequencies."""
