"""Stripe on the laptop: localstripe's server with its gaps closed, one module for each gap.

Runs in the emulator environment (local/emulators), never in the product's. Each module names the gap, what closes it
and how to see that a newer localstripe made it unnecessary; tests/local/test_stripe_gaps.py shows every gap on plain
localstripe and fails when one is gone.
"""
