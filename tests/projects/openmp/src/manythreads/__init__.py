from manythreads._core import max_threads, squares, team
from manythreads._plain import answer

__all__ = ["answer", "max_threads", "squares", "team"]
