"""Two drivers and one spot: the whole journey on the deployed template, told step by step and checked."""
