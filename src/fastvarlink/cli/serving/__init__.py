"""Services as programs: what is served, where, and what is said about it."""
