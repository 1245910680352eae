"""A day of many drivers' money on the deployed template, and the comparison of the ledger with Stripe at its end."""
