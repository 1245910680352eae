"""In-memory twins of the adapters: the same rules without a network, for tests and the simulation."""
