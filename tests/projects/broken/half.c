int half(int whole) { return whole / divisor_that_nobody_has_declared; }
