"""Many drivers at once on the local stack: how long each route takes, who meets whom, and what holds afterwards."""
