"""`caxton topic`: what is published, and who gets it."""

from __future__ import annotations

from caxton.cli import connection
from caxton.cli.options import Format, Output, Project, command_app
from caxton.cli.output.printing import listing
from caxton.schemas.shape import text_of

app = command_app("Show topics and who has subscribed to them.")


@app.command("list")
def list_topics(project: Project = None, output: Output = Format.TEXT) -> None:
    """List topics that were published to or subscribed to by name, with what was said to them since the start.

    \b
    Examples:
      caxton topic list
      caxton msg send --to topic:sensors/kitchen --performative inform --content 21.5
      caxton msg tail -f to:topic:sensors
    """
    with connection.client(project) as caxton:
        listing(
            caxton.topics(),
            output,
            [
                ("TOPIC", lambda t: t.topic),
                ("SUBSCRIBERS", lambda t: t.subscribers),
                ("PUBLICATIONS", lambda t: t.publications),
                ("DELIVERIES", lambda t: t.deliveries),
                ("LOST", lambda t: t.lost),
                ("RETAINED", lambda t: "yes" if t.retained else "-"),
                ("LAST", lambda t: text_of(t.last_at) if t.last_at else "-"),
            ],
            "no topics; agents subscribe by a message to topics, and publish to topic:NAME",
        )


@app.command()
def subscriptions(project: Project = None, output: Output = Format.TEXT) -> None:
    """List which agents get what is said to which topics.

    \b
    Example:
      caxton topic subscriptions
    """
    with connection.client(project) as caxton:
        listing(
            caxton.topic_subscriptions(),
            output,
            [
                ("SUBSCRIBER", lambda s: s.subscriber),
                ("TOPICS", lambda s: ", ".join(s.topics)),
                ("SINCE", lambda s: text_of(s.since)),
                ("LOST", lambda s: s.lost),
                ("CONVERSATION", lambda s: s.conversation_id),
            ],
            "nobody has subscribed",
        )
