"""Who is studied: labels, eligibility, matching, Table 1."""
