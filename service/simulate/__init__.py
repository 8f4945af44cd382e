"""The simulated plant: `foresense simulate` sends what pumps would, and breaks them now and then."""
