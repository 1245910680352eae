"""The words of what drivers are told, one file per language. Nothing here asks anybody: facts go in, words come out."""
