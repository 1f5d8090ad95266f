# A client that somebody else wrote (Eclipse paho, Debian's python3-paho-mqtt) puts a gateway through MQTT 3.1.1, and prints one line of JSON
# for each thing it did and saw; peers.test.ts knows what must come. Usage: paho-peer.py PORT
import json
import sys
import threading
import time

import paho.mqtt.client as mqtt

port = int(sys.argv[1])


class Peer:
    def __init__(self, client_id, clean=True, manual=False, will=None, keepalive=60):
        self.messages = []
        self.granted = {}
        self.present = None
        self.code = None
        self.changed = threading.Condition()
        self.client = mqtt.Client(client_id, clean_session=clean, protocol=mqtt.MQTTv311)
        self.client.on_connect = self._connected
        self.client.on_message = self._message
        self.client.on_subscribe = self._subscribed
        self.client.max_inflight_messages_set(1000)
        if will:
            self.client.will_set(*will)
        self.client.connect("127.0.0.1", port, keepalive)
        self.client.loop_start()
        self._wait(lambda: self.code is not None)

    def _wait(self, condition, seconds=20):
        with self.changed:
            if not self.changed.wait_for(condition, seconds):
                raise SystemExit("waited in vain")

    def _notify(self):
        with self.changed:
            self.changed.notify_all()

    def _connected(self, _client, _data, flags, code):
        self.present, self.code = flags["session present"], code
        self._notify()

    def _message(self, _client, _data, message):
        self.messages.append([message.topic, message.payload.decode(), message.qos, bool(message.retain)])
        self._notify()

    def _subscribed(self, _client, _data, mid, granted):
        self.granted[mid] = list(granted)
        self._notify()

    def subscribe(self, *filters):
        mid = self.client.subscribe(list(filters))[1]
        self._wait(lambda: mid in self.granted)
        return self.granted[mid]

    def publish(self, topic, payload, qos, retain=False):
        self.client.publish(topic, payload, qos, retain).wait_for_publish(20)

    def wait(self, count):
        self._wait(lambda: len(self.messages) >= count)
        time.sleep(0.2)
        return self.messages

    def end(self):
        self.client.disconnect()
        self.client.loop_stop()

    def break_off(self):
        """The socket goes without DISCONNECT."""
        self.client.loop_stop()
        self.client._sock_close()


def say(what, seen):
    print(json.dumps({"what": what, "seen": seen}), flush=True)


# QoS 0, 1 and 2, up and down.
peer = Peer("basic")
say("granted", peer.subscribe(("basic/#", 2), ("$share/g/basic", 1)))
for qos in (0, 1, 2):
    peer.publish("basic/%d" % qos, "x", qos)
say("basic", sorted(peer.wait(3)))
peer.end()

# Retained, and deleted again.
peer = Peer("retain")
for qos in (0, 1, 2):
    peer.publish("keep/%d" % qos, "kept", qos, True)
peer.subscribe(("+/+", 2))
say("retained", sorted(peer.wait(3)))
peer.end()
peer = Peer("retain")
for qos in (0, 1, 2):
    peer.publish("keep/%d" % qos, "", qos, True)
peer.subscribe(("#", 2))
say("deleted", peer.wait(0))
peer.end()

# Overlapping subscriptions.
peer = Peer("overlap")
peer.subscribe(("TopicA/#", 2), ("TopicA/+", 1))
peer.publish("TopicA/C", "both", 2)
say("overlapping", peer.wait(1))
peer.end()

# A will.
watcher = Peer("watcher")
watcher.subscribe(("will", 2))
peer = Peer("dying", will=("will", "gone", 2, False))
peer.break_off()
say("will", watcher.wait(1))

# A session that was away.
peer = Peer("away", clean=False)
say("present at first", peer.present)
peer.subscribe(("queue/#", 2))
peer.end()
for index in range(200):
    watcher.publish("queue/%d" % (1 + index % 2), str(index), 1 + index % 2)
peer = Peer("away", clean=False)
say("present later", peer.present)
messages = peer.wait(200)
say("queued in order", [[m[1] for m in messages if m[2] == qos] == [str(i) for i in range(qos - 1, 200, 2)] for qos in (1, 2)] + [len(messages)])
peer.end()
peer = Peer("away", clean=False)
say("queued again", peer.wait(0))
peer.end()

# Order under load, both directions at once.
peer = Peer("load")
peer.subscribe(("load", 2))
tickets = [peer.client.publish("load", str(index), 2) for index in range(500)]
for ticket in tickets:
    ticket.wait_for_publish(30)
say("load in order", [m[1] for m in peer.wait(500)] == [str(index) for index in range(500)])
peer.end()
watcher.end()
