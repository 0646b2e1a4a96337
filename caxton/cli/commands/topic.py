"""`caxton topic`: what is published, and who gets it."""

from __future__ import annotations

from caxton.cli import connection, list_view
from caxton.cli.list_view import ListView
from caxton.cli.options import Project, command_app

app = command_app("Show topics and who has subscribed to them.")


@app.command("list")
@list_view.options
def list_topics(view: ListView, project: Project = None) -> None:
    """List topics that were published to or subscribed to by name, with what was said to them since the start.

    \b
    Examples:
      caxton topic list
      caxton msg send --to topic:sensors/kitchen --performative inform --content 21.5
      caxton msg tail -f to:topic:sensors
    """
    with connection.client(project) as caxton:
        view.show(
            caxton.topics,
            [
                ("TOPIC", lambda t: t.topic),
                ("SUBSCRIBERS", lambda t: t.subscribers),
                ("PUBLICATIONS", lambda t: t.publications),
                ("DELIVERIES", lambda t: t.deliveries),
                ("LOST", lambda t: t.lost),
                ("RETAINED", lambda t: "yes" if t.retained else "-"),
                ("LAST", lambda t: t.last_at),
            ],
            "no topics; agents subscribe by a message to topics, and publish to topic:NAME",
        )


@app.command()
@list_view.options
def subscriptions(view: ListView, project: Project = None) -> None:
    """List which agents get what is said to which topics.

    \b
    Example:
      caxton topic subscriptions
    """
    with connection.client(project) as caxton:
        view.show(
            caxton.topic_subscriptions,
            [
                ("SUBSCRIBER", lambda s: s.subscriber),
                ("TOPICS", lambda s: ", ".join(s.topics)),
                ("SINCE", lambda s: s.since),
                ("LOST", lambda s: s.lost),
                ("CONVERSATION", lambda s: s.conversation_id),
            ],
            "nobody has subscribed",
        )
