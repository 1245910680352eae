"""The deterministic simulation: the real services in a hostile world, driven by one seed (docs/simulation.md)."""
