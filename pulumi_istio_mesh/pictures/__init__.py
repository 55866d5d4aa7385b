"""A plan as something to look at; the same plan always gives the same bytes."""
