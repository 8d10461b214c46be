"""What the planes exchange: frozen values between the compiler and the edge, the workers, control.

No author-facing type below this room: what stands here is resolved, inherited and placed.
"""
