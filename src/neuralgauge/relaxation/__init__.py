"""Bounds that hold for every network of every width, at any rank: the doubly nonnegative relaxation of training.

`multipliers` turns any multipliers into a proof, those of several output weights in `joint_multipliers`; `proven_bound`
holds and checks it, `splitting` finds good ones by ADMM, `proximal` is its step on the loss, `moments` the lift of
networks and its adjoint, `prove` the call.
"""
