"""Words of a header in many languages -> what they mean: one table, matched as whole words."""
