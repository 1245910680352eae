"""Cold starts, measured on what `sam build` made."""
