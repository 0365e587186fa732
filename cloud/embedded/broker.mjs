// The embedded MQTT 3.1.1 broker: aedes in memory, with Mosquitto's password and ACL files.
//
//   node broker.mjs HOST PORT PASSWORDS ACL
//
// SIGHUP reads both files again and closes the connections of users whose password changed or
// went. It ends when standard input does, so that it never outlives who started it.
// As Mosquitto does, it grants every subscription and drops what its reader may not read; it
// takes every message and drops what its writer may not write.

import { pbkdf2, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { Aedes } from 'aedes'

const [host, port, passwordFile, aclFile] = process.argv.slice(2)
const derive = promisify(pbkdf2)
const NOWHERE = '$refused'

// --- Mosquitto's files ---------------------------------------------------------------------------

/** Lines `name:$7$iterations$salt$hash`, PBKDF2-SHA512, base64. */
function readPasswords (path) {
  const users = new Map()
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [, name, rounds, salt, hash] = line.match(/^([^:]+):\$7\$(\d+)\$([^$]+)\$(.+)$/) ?? []
    if (name) {
      users.set(name, {
        line,
        rounds: Number(rounds),
        salt: Buffer.from(salt, 'base64'),
        hash: Buffer.from(hash, 'base64')
      })
    }
  }
  return users
}

/** Lines `user NAME`, then `topic [ACCESS] FILTER` of that user; `pattern ...` of every user. */
function readAcl (path) {
  const acl = { users: new Map(), patterns: [] }
  let rules = []
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [, word, rest] = line.match(/^\s*(user|topic|pattern)\s+(.*?)\s*$/) ?? []
    if (word === 'user') {
      rules = acl.users.get(rest) ?? []
      acl.users.set(rest, rules)
    } else if (word) {
      const [, access, filter] = rest.match(/^(?:(read|write|readwrite|deny)\s+)?(.*)$/)
      const rule = { access: access ?? 'readwrite', levels: filter.split('/') }
      ;(word === 'topic' ? rules : acl.patterns).push(rule)
    }
  }
  return acl
}

function covers (levels, topic, user) {
  const parts = topic.split('/')
  // a wildcard in the first level never covers $SYS and its like (MQTT-4.7.2-1)
  if (topic.startsWith('$') && /^[+#]/.test(levels[0])) return false
  for (const [at, level] of levels.entries()) {
    if (level === '#') return true
    if (at >= parts.length) return false
    const wanted = level.replaceAll('%u', user)
    if (level !== '+' && wanted !== parts[at]) return false
  }
  return levels.length === parts.length
}

let users = readPasswords(passwordFile)
let acl = readAcl(aclFile)

function may (user, access, topic) {
  const rules = [...(acl.users.get(user) ?? []), ...acl.patterns]
  const said = rules.filter(rule => covers(rule.levels, topic, user)).map(rule => rule.access)
  return !said.includes('deny') && (said.includes(access) || said.includes('readwrite'))
}

/** Answers are remembered per connection: a station speaks on a handful of topics. */
function mayRemembered (client, access, topic) {
  const key = `${access} ${topic}`
  let answer = client.answers.get(key)
  if (answer === undefined) {
    answer = may(client.user, access, topic)
    if (client.answers.size > 1000) client.answers.clear()
    client.answers.set(key, answer)
  }
  return answer
}

// --- the broker ----------------------------------------------------------------------------------

/**
 * A client id may be its user's name or begin with it and a separator, so that nobody takes over
 * the connection of another. Users named in the ACL are the house's own and choose freely.
 */
function ownsClientId (user, clientId) {
  if (acl.users.has(user) || clientId === user) return true
  return clientId.startsWith(user) && !/[a-z0-9_-]/.test(clientId[user.length])
}

async function isPassword (user, password) {
  const kept = users.get(user)
  if (!kept || !password) return false
  const hash = await derive(password, kept.salt, kept.rounds, kept.hash.length, 'sha512')
  return timingSafeEqual(hash, kept.hash)
}

const broker = new Aedes({
  queueLimit: 10_000,
  maxClientsIdLength: 128,
  connectTimeout: 10_000,
  drainTimeout: 10_000,

  authenticate (client, user, password, done) {
    client.user = user
    client.password = password
    client.answers = new Map()
    isPassword(user, password).then(
      isRight => done(null, isRight && ownsClientId(user, client.id)),
      done
    )
  },

  authorizePublish (client, packet, done) {
    if (client && !mayRemembered(client, 'write', packet.topic)) {
      packet.topic = NOWHERE
      packet.retain = false
    }
    done(null)
  },

  authorizeSubscribe (client, subscription, done) {
    done(null, subscription)
  },

  authorizeForward (client, packet) {
    return mayRemembered(client, 'read', packet.topic) ? packet : null
  }
})

async function reload () {
  const before = users
  try {
    users = readPasswords(passwordFile)
    acl = readAcl(aclFile)
  } catch (error) {
    console.error(`broker: kept the old users: ${error.message}`)
    return
  }
  for (const client of Object.values(broker.clients)) {
    client.answers.clear()
    const isSame = users.get(client.user)?.line === before.get(client.user)?.line
    // the same password may have been hashed anew
    if (!isSame && !await isPassword(client.user, client.password)) client.close()
  }
}

await broker.listen()
const server = createServer(socket => {
  socket.setNoDelay(true)
  broker.handle(socket)
})

server.on('error', error => {
  console.error(`broker: ${error.message}`)
  process.exit(1)
})
server.listen(Number(port), host, () => console.log(`broker: aedes listens on ${host}:${port}`))

process.on('SIGHUP', reload)
process.on('SIGTERM', () => process.exit(0))
process.stdin.on('end', () => process.exit(0))
process.stdin.resume()
