"""Set-up and start-up of a checkout: what `make` calls."""
