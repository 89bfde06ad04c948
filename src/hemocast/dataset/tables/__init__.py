"""The dataset's tables: what each column may hold, and what the sidecars say."""
