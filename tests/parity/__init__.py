"""The same calls on the standard binding (python3-rbd, python3-rados) and on ours, compared.

A scenario (scenarios_*.py) makes calls through a Recorder, which writes down what each call did.
Every scenario runs on either binding on the same cluster, and test_parity.py compares the records.
Where ours differs on purpose, differences.py says so.
"""
