"""What makes the local AWS say no where AWS says no: its models, its limits, and the callers' roles.

`gate.py` puts them in front of the emulator.
"""
