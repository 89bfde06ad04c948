"""Networks to compare with: the paper's two comparators in style, MONAI's, and 2.5D ones.

Each is a builder by name (`COMPARATORS`), trained by the same loop and from the same input layer
as CTNet, but without relief and at 64 x 64 pixels in-plane (192 pooled by 3; CTNet takes 32 x 32).
What is said of parameters holds for 28 frames, pooled by 3, with the mirror channel; without it
the first layer is half as large.
"""
