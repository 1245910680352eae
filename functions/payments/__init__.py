"""Money: payments, the wallet, and Stripe's word for what came."""
