// What the broker keeps for MQTT clients over a restart: sessions that outlive their connection, and retained messages of clients.

export const mqttSessions = {
  version: 5,
  sql: `
    CREATE TABLE mqtt_session (
      client TEXT PRIMARY KEY,
      ended_at INTEGER,                -- when its connection ended; null: it was connected
      sent INTEGER NOT NULL,           -- ordinal of the newest message that was sent to it
      owner TEXT NOT NULL              -- the user whose it is; empty: nobody's
    ) WITHOUT ROWID;
    CREATE TABLE mqtt_subscription (client TEXT NOT NULL, filter TEXT NOT NULL, qos INTEGER NOT NULL, PRIMARY KEY (client, filter)) WITHOUT ROWID;
    CREATE TABLE mqtt_outgoing (
      ordinal INTEGER PRIMARY KEY,     -- order of arrival, over all sessions
      client TEXT NOT NULL,
      packet INTEGER NOT NULL,         -- packet id, the same at each try
      topic TEXT NOT NULL,
      payload BLOB NOT NULL,
      qos INTEGER NOT NULL,
      retain INTEGER NOT NULL,
      released INTEGER NOT NULL        -- 1: the client has it, and PUBREL is owed
    );
    CREATE INDEX mqtt_outgoing_client ON mqtt_outgoing (client);
    -- QoS 2 publishes that were taken and not yet released by their client.
    CREATE TABLE mqtt_incoming (client TEXT NOT NULL, packet INTEGER NOT NULL, PRIMARY KEY (client, packet)) WITHOUT ROWID;
    CREATE TABLE mqtt_retained (topic TEXT NOT NULL UNIQUE, payload BLOB NOT NULL, qos INTEGER NOT NULL);
  `,
} as const;
