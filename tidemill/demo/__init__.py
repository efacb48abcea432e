"""Three weeks of made-up traffic: made (`traffic`), sent (`send`), ground and reported (`run`)."""
