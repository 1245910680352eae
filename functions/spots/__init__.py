"""The map: where drivers find a spot, and how operators put one there."""
