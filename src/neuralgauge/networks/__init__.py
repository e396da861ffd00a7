"""Networks: weights, outputs, weight decay and the forms that keep the function."""
