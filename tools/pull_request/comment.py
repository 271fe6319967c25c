"""Post, update or silence the one comment on a pull request that says what it changes in the contract.

    python -m tools.pull_request.comment --event EVENT.json

Runs after the workflow `Spec diff` has ended, with a token that may write comments, and so runs nothing of the pull
request and believes nothing that it made: which pull request it is, GitHub says; the report comes out of the artifact
as data (`tools.spec_diff.exchange`) and is rendered here. Only comments of the bot that begin with our marker are
touched.

Environment: GITHUB_TOKEN; GITHUB_REPOSITORY (`owner/name`); GITHUB_API_URL and GITHUB_SERVER_URL, by default those of
github.com; GITHUB_EVENT_PATH when there is no --event. Exits 1 when GitHub refuses or the artifact is no report, and 2
when something of the above is missing.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import attrs
import httpx

from tools.contract.document import is_array, is_object
from tools.spec_diff.exchange import MAX_BYTES, ExchangeError, load_report
from tools.spec_diff.report import Report, fit_markdown, render_failure, render_markdown

MARKER = "<!-- scenario-uploads: what changes in the contract -->"
BOT = "github-actions[bot]"
ARTIFACT = "spec-diff"
MEMBER = "comment.json"
MAX_ARCHIVE_BYTES = 4 * 1024 * 1024
PAGE_SIZE = 100
MAX_PAGES = 100
TIMEOUT = httpx.Timeout(30.0)


class CommentError(Exception):
    """The comment cannot be written; the message says why, without a secret."""


@attrs.frozen
class Run:
    """The run of the workflow that made the report, as GitHub tells of it."""

    id: int
    head_sha: str
    head_repository: str
    head_branch: str
    base_branch: str
    """The one branch that pull requests are reported for."""

    @property
    def head_owner(self) -> str:
        """Whose repository the branch is in."""
        return self.head_repository.partition("/")[0]


@attrs.frozen
class Comment:
    """A comment on a pull request."""

    id: int
    author: str
    body: str


@attrs.frozen
class Deed:
    """Something to do with a comment."""

    what: Literal["create", "update", "delete"]
    comment: int | None = None


def read_run(event: Any) -> Run | None:
    """Return the run that an event of `workflow_run` tells of; None when it was not for a pull request that is there.

    Raises:
        CommentError: When the event is another one.
    """
    try:
        run = event["workflow_run"]
        if run["event"] != "pull_request" or run["head_repository"] is None:
            return None
        read = Run(
            id=int(run["id"]),
            head_sha=str(run["head_sha"]),
            head_repository=str(run["head_repository"]["full_name"]),
            head_branch=str(run["head_branch"]),
            base_branch=str(event["repository"]["default_branch"]),
        )
    except (KeyError, TypeError, ValueError):
        raise CommentError("the event is none of `workflow_run`") from None
    if not re.fullmatch(r"[0-9a-f]{40}", read.head_sha):
        raise CommentError("the event names no commit")
    return read


def decide(comments: Sequence[Comment], *, changed: bool) -> list[Deed]:
    """Return what to do so that there is one comment of ours, or none when there is nothing to say.

    A comment that is there stays when the change is taken back, and then says so: somebody may have answered it.
    """
    own = [comment for comment in comments if comment.author == BOT and comment.body.startswith(MARKER)]
    if not own:
        return [Deed("create")] if changed else []
    return [Deed("update", own[0].id), *(Deed("delete", comment.id) for comment in own[1:])]


def render_body(report: Report | str, run: Run, run_url: str) -> str:
    """Return the comment: the report, and below it where it comes from."""
    text = render_failure(report) if isinstance(report, str) else render_markdown(report)
    footer = f"<sub>For {run.head_sha}, as the code of this pull request sees it: [the run]({run_url}).</sub>"
    return f"{MARKER}\n{fit_markdown(text)}\n{footer}\n"


def open_archive(data: bytes) -> bytes:
    """Return the report's file in an artifact. Nothing is unpacked to disk, so names in it do not matter.

    Raises:
        CommentError: When it is not there, too large, or not packed in a usual way.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            info = archive.getinfo(MEMBER)
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise CommentError(f"{MEMBER} in the artifact is packed in an unusual way")
            with archive.open(info) as file:
                # What the archive says of its size is the stranger's word.
                content = file.read(MAX_BYTES + 1)
    except KeyError:
        raise CommentError(f"the artifact holds no {MEMBER}") from None
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, ValueError, OSError):
        raise CommentError("the artifact is no archive that can be read") from None
    if len(content) > MAX_BYTES:
        raise CommentError(f"{MEMBER} in the artifact has more than {MAX_BYTES:,} bytes")
    return content


@attrs.frozen
class GitHub:
    """GitHub's API, as far as it is needed for one repository."""

    client: httpx.Client
    repository: str

    def send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Return the answer to a request below the repository.

        Raises:
            CommentError: When GitHub refuses or does not answer.
        """
        try:
            response = self.client.request(method, f"/repos/{self.repository}/{path}", **arguments)
        except httpx.HTTPError as error:
            raise CommentError(f"{method} {path}: no answer ({type(error).__name__})") from None
        if response.status_code >= 400:
            raise CommentError(f"{method} {path}: GitHub answered {response.status_code}{_read_reason(response)}")
        return response

    def list_all(self, path: str, key: str | None = None, **params: str) -> Iterator[Mapping[str, Any]]:
        """Yield what a list of several pages holds; `key` is where the list is in an answer that is an object.

        Raises:
            CommentError: When GitHub refuses, or answers something else.
        """
        for page in range(1, MAX_PAGES + 1):
            response = self.send("GET", path, params={**params, "per_page": str(PAGE_SIZE), "page": str(page)})
            try:
                answer = response.json()
            except ValueError:
                raise CommentError(f"GET {path}: GitHub's answer is no JSON") from None
            values = answer.get(key) if key is not None and is_object(answer) else answer
            if not is_array(values):
                raise CommentError(f"GET {path}: GitHub's answer is no list")
            yield from filter(is_object, values)
            if "next" not in response.links:
                return
        raise CommentError(f"GET {path}: more than {MAX_PAGES} pages")

    def find_pull(self, run: Run) -> int | None:
        """Return the number of the open pull request that a run was for; None when it has moved on or is closed.

        Events name no pull request when it comes from a fork, so it is looked for by what GitHub says of its head.
        """
        head = f"{run.head_owner}:{run.head_branch}"
        for pull in self.list_all("pulls", state="open", head=head, base=run.base_branch):
            try:
                is_head = (
                    pull["head"]["sha"] == run.head_sha and pull["head"]["repo"]["full_name"] == run.head_repository
                )
                if is_head and pull["base"]["repo"]["full_name"] == self.repository:
                    return int(pull["number"])
            except (KeyError, TypeError):  # the fork of this one is gone
                continue
        return None

    def list_comments(self, pull: int) -> list[Comment]:
        """Return the comments on a pull request, the oldest first."""
        return [
            Comment(int(each["id"]), str((each.get("user") or {}).get("login")), str(each.get("body") or ""))
            for each in self.list_all(f"issues/{pull}/comments")
        ]

    def fetch_report(self, run: Run) -> Report | str | None:
        """Return the report that a run left, or the message why there is none; None when it left nothing.

        Raises:
            CommentError: When what it left is no report.
        """
        found = [
            int(each["id"])
            for each in self.list_all(f"actions/runs/{run.id}/artifacts", "artifacts", name=ARTIFACT)
            if each.get("name") == ARTIFACT and not each.get("expired")
        ]
        if not found:
            return None
        answer = self.send("GET", f"actions/artifacts/{max(found)}/zip")
        try:
            return load_report(open_archive(self.download(answer.headers.get("location", ""))))
        except ExchangeError as error:
            raise CommentError(f"{MEMBER} in the artifact is no report: {error}") from None

    def download(self, url: str) -> bytes:
        """Return what is at an address that GitHub redirects to, without showing it our token.

        Raises:
            CommentError: When it is too large, or does not come.
        """
        if not url.startswith(("https://", f"{self.client.base_url.scheme}://")):
            raise CommentError("GitHub does not say where the artifact is")
        data = b""
        try:
            with httpx.stream("GET", url, timeout=TIMEOUT, follow_redirects=False) as response:
                if response.status_code != 200:
                    raise CommentError(f"the artifact does not come: {response.status_code}")
                for chunk in response.iter_raw():
                    data += chunk
                    if len(data) > MAX_ARCHIVE_BYTES:
                        raise CommentError(f"the artifact has more than {MAX_ARCHIVE_BYTES:,} bytes")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CommentError(f"the artifact does not come ({type(error).__name__})") from None
        return data

    def carry_out(self, deed: Deed, pull: int, body: str) -> None:
        """Create, update or delete a comment."""
        if deed.what == "create":
            self.send("POST", f"issues/{pull}/comments", json={"body": body})
        elif deed.what == "update":
            self.send("PATCH", f"issues/comments/{deed.comment}", json={"body": body})
        else:
            self.send("DELETE", f"issues/comments/{deed.comment}")


def _read_reason(response: httpx.Response) -> str:
    """Return what GitHub says in a refusal, with a colon before it."""
    try:
        message = response.json()["message"]
    except (ValueError, KeyError, TypeError):
        return ""
    return f": {str(message)[:200]}"


def write_comment(github: GitHub, run: Run, server_url: str) -> str:
    """Bring the comment up to date and return in words what was done.

    Raises:
        CommentError: When GitHub refuses, or the artifact is no report.
    """
    pull = github.find_pull(run)
    if pull is None:
        return "No open pull request has this commit as its head any more; nothing to do."
    report = github.fetch_report(run)
    if report is None:
        return "The run left no report; nothing to do."
    deeds = decide(github.list_comments(pull), changed=isinstance(report, str) or bool(report.changes))
    body = render_body(report, run, f"{server_url}/{github.repository}/actions/runs/{run.id}")
    for deed in deeds:
        github.carry_out(deed, pull, body)
    done = ", ".join(f"{deed.what}d" for deed in deeds) or "nothing to say"
    return f"Comment on #{pull}: {done}."


def main(argv: list[str] | None = None) -> int:
    """Run the command line; see the module's docstring."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.pull_request.comment", description="Say on a pull request what changes in the contract."
    )
    parser.add_argument("--event", default=os.environ.get("GITHUB_EVENT_PATH"), help="the event of workflow_run")
    arguments = parser.parse_args(argv)
    token, repository = os.environ.get("GITHUB_TOKEN"), os.environ.get("GITHUB_REPOSITORY", "")
    if not token or not arguments.event or not re.fullmatch(r"[\w.-]+/[\w.-]+", repository, re.ASCII):
        print("GITHUB_TOKEN, GITHUB_REPOSITORY and GITHUB_EVENT_PATH (or --event) are needed.", file=sys.stderr)
        return 2
    try:
        run = read_run(json.loads(Path(arguments.event).read_bytes()))
        if run is None:
            print("The run was for no pull request that is there; nothing to do.")
            return 0
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "scenario-uploads",
        }
        api_url = os.environ.get("GITHUB_API_URL", "https://api.github.com")
        with httpx.Client(base_url=api_url, headers=headers, timeout=TIMEOUT, follow_redirects=False) as client:
            print(
                write_comment(
                    GitHub(client, repository), run, os.environ.get("GITHUB_SERVER_URL", "https://github.com")
                )
            )
    except (OSError, ValueError) as error:
        print(f"The event cannot be read: {error}", file=sys.stderr)
        return 2
    except CommentError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
