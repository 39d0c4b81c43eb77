"""Carries out an upgrade with web3.py on the node at the URL that it is given, and prints a transcript."""

import sys

from chain import Chain
from development import develop
from node import connected, follow, read, refusals, sign
from upgrade import deploy, lock, move, prepare, signal, stake, vote

chain = Chain(sys.argv[1])
connected(chain)
the_set = deploy(chain)
for act in (stake, lock, prepare, signal, vote, move, read, follow, refusals, sign, develop):
    act(chain, the_set)
