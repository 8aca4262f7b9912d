"""Publishing: finished wheels to a package index, by twine, and to a GitHub release, by PyGithub.

`distributions`, `checks` and `built` say what there is, `index` what is there already, `plan` what
is to be done; `upload`, `verify` and `release` do it. All of it can be run again at any time.
"""
