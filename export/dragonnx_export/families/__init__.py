"""Families of generators: what each is made of, its graphs, and its network in torch."""
