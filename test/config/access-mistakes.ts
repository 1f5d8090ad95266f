// Mistakes in what the config says of users of MQTT; part of mistakes.ts.

export const mistakesOfAccess: [string, string, string[]][] = [
  [
    "a password file that is not there",
    "mqtt: { users: nowhere, acl: [{ publish: [a] }] }",
    ["1:16: the password file nowhere cannot be read: no such file (make it with `highwater user add NAME --mqtt`, or with mosquitto_passwd)"],
  ],
  [
    "a listener that lets in who gives no name, beside users",
    "mqtt:\n  anonymous: true\n  users: nowhere\n  acl: [{ publish: [a] }]\n  listeners:\n    - { host: 0.0.0.0, port: 1883 }",
    [
      "3:10: the password file nowhere cannot be read: no such file (make it with `highwater user add NAME --mqtt`, or with mosquitto_passwd)",
      "6:7: 0.0.0.0 is not on loopback: anyone on the network could publish (take `anonymous: true` out: who gives no name comes in with it)",
    ],
  ],
  ["no users", "mqtt: { anonymous: false }", ["1:20: there are no users: nobody could connect (name a password file in mqtt.users, or write true)"]],
  [
    "an access list that is none",
    "mqtt: { acl: [{ publish: [a/#/b] }] }",
    ['1:27: publish[0] cannot be "a/#/b" (+ stands for one whole level, # for all levels below, alone and at the end)'],
  ],
];
