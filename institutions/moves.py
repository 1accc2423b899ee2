"""Moves of a workflow row on the screen: buttons for `_moves.html`, the form for what a move asks, and the press itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms.boundfield import BoundField

from institutions.forms import DateInput, FilesField, FilesFormMixin
from institutions.http import Request, posted_version
from institutions.models import Post
from institutions.workflow import Move, StaleState, Workflow


@dataclass(frozen=True)
class MoveButton:
    """One move as `_moves.html` prints it; `reason` says why it cannot be pressed yet."""

    name: str
    label: str
    tone: str
    url: str
    reason: str
    asks: Sequence[BoundField]
    confirm: str
    open: bool


class AskForm(FilesFormMixin, forms.Form):
    """What one move asks for: a note, a due date, a date, files. Its ids differ from those of other moves."""

    def __init__(self, name: str, move: Move, *, post: Post, **kwargs: Any) -> None:
        super().__init__(auto_id=f"id_{name}_%s", **kwargs)
        self.post = post
        for need in move.needs:
            if need.field:
                self.fields[need.field] = _field(need.field, need.reason)

    @property
    def answers(self) -> dict[str, Any]:
        """The cleaned values by the name under which the verb takes them; files are stored rows."""
        given = dict(self.cleaned_data)
        if "files" in given:
            given["files"] = self.stored
        return given


def _field(name: str, reason: str) -> forms.Field:
    """Return the form field of a named need; its reason is said when it is left empty."""
    said = {"required": reason}
    match name:
        case "note":
            return forms.CharField(
                label="理由或意见",
                max_length=2000,
                widget=forms.Textarea(attrs={"rows": 3}),
                error_messages=said,
            )
        case "due":
            return forms.DateField(
                label="新的时限（含当日）", widget=DateInput, error_messages=said
            )
        case "date":
            return forms.DateField(label="日期", widget=DateInput, error_messages=said)
        case "files":
            return FilesField(label="材料", required=True, error_messages=said)
    raise LookupError(f"a move cannot ask for {name!r}")


def moves_for_template(
    row: Workflow,
    post: Post | None,
    *,
    url: Callable[[str], str],
    data: Mapping[str, Any] | None = None,
    files: Mapping[str, Any] | None = None,
    open_move: str = "",
    pressed: AskForm | None = None,
) -> list[MoveButton]:
    """Return the buttons of the moves that `post` may make on `row`.

    `url` turns a move's name into the address it is posted to. The move `open_move` is shown open with what was typed
    (`data`, `files`); `pressed` is the refused form that `press` returned and says the same by itself.
    """
    buttons = []
    for offer in row.moves_for(post):
        form = None
        if offer.asks and post is not None:
            if pressed is not None and pressed.auto_id == f"id_{offer.name}_%s":
                form = pressed
            elif offer.name == open_move:
                form = AskForm(offer.name, offer.move, post=post, data=data, files=files)
            else:
                form = AskForm(offer.name, offer.move, post=post)
        buttons.append(
            MoveButton(
                name=offer.name,
                label=offer.label,
                tone=offer.tone,
                url=url(offer.name),
                reason=offer.reason,
                asks=[form[name] for name in form.fields] if form else [],
                confirm=offer.move.confirm,
                open=form is not None and form.is_bound,
            )
        )
    return buttons


def read_move(request: Request, row: Workflow, name: str) -> AskForm:
    """Return the bound form of what the move asks; ask `is_valid()`, then take `answers` or show it again."""
    return AskForm(name, row.MOVES[name], post=request.post, data=request.POST, files=request.FILES)


def press(
    request: Request,
    row: Workflow,
    name: str,
    *,
    deed: Callable[..., Any] | None = None,
    done: str = "",
) -> AskForm | None:
    """Make the posted move with `by`, `version` and what it asks; say how it went.

    `deed` replaces the row's own verb of that name. Returns None when the view should redirect (done, or refused with
    a reason said in a message), else the form, to be shown again with what was typed (`moves_for_template(pressed=)`).
    PermissionDenied and StaleState pass through: 403 and 409.
    """
    move, version = row.MOVES[name], posted_version(request)
    # Whose move it is, and on which state, goes before what was typed; nothing is stored for a stranger.
    if not row.may(name, request.post):
        raise PermissionDenied(f"{move.label}不由本岗位办理")
    if row.status not in move.sources or row.version != version:
        raise StaleState(row, version)
    form = read_move(request, row, name)
    if not form.is_valid():
        return form
    verb = deed or getattr(row, name)
    with refusals_said(request):
        verb(by=request.post, version=version, **form.answers)
        messages.success(request, done or f"已{move.label}")
    return None


@contextmanager
def refusals_said(request: Request, so_far: str = "") -> Iterator[None]:
    """Do a deed: when it is refused, each reason is a message, and the view goes on behind the `with`.

    `so_far` stands before a reason where something was done already (已保存，但还不能上报：). Only ValidationError is a
    refusal; PermissionDenied and StaleState pass through.
    """
    try:
        yield
    except ValidationError as refused:
        for reason in refused.messages:
            messages.error(request, f"{so_far}{reason}")
