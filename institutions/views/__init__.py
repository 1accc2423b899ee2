"""The pages of the institutions floor, by noun."""
