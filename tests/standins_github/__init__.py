"""A strict local stand-in for what a release publisher needs of GitHub's REST API."""

from tests.standins_github.server import GitHubServer, Record

__all__ = ["GitHubServer", "Record"]
