"""From what users hold to the problem that is trained: columns of any kind as numbers, scaling, the way back."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
