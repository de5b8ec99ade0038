import { RedisScript } from './redis-script.js';

/**
 * A room with history is one hash, so that each script has one key only: on a slot that is being moved a script with two keys
 * may run nowhere. Its fields are:
 *
 * - `e`: the epoch, `<ms since 1970>-<random>`; `o`: the top offset; `r`: the replication id of the master that began the epoch
 * - `t`: when the last message came (ms); `b`: the lowest offset whose entry may exist; `x`: entries below it do not count
 * - an offset: that message's entry
 * - `k:<key>`: the offset, the time and the place of an idempotency key; `i:<place>`: the key; `h` and `q`: the places are those
 *   behind `h`, up to `q`
 *
 * All scripts begin here. A room without its fields, or whose epoch was begun by another master, begins a new epoch: what it had
 * may be incomplete. `find` returns the room, with `isNew` where the script still has to write it.
 *
 * ARGV: whether another master is noticed, 8 random characters, size, ttl, metaTtl, and those of each script.
 */
const COMMON = `
local key = KEYS[1]
local size, ttl, metaTtl = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- The cheapest way to write a number: Lua itself writes 14 digits only, and Redis takes several times as long.
local format = string.format
local function whole(number) return format('%d', number) end

local function begin(master)
  return { isNew = true, epoch = string.format('%.0f', now) .. '-' .. ARGV[2], master = master, top = 0, low = 1, floor = 1, last = now }
end

local function find()
  local master = ''
  if ARGV[1] == '1' then
    local info = redis.pcall('INFO', 'replication')
    if type(info) == 'table' then return nil, { err = 'NOINFO ' .. info.err } end
    if not string.find(info, 'role:master', 1, true) then return nil, { err = 'READONLY This server is a replica.' } end
    -- A plain search costs less than a pattern, and every script does it.
    local _, before = string.find(info, 'master_replid:', 1, true)
    master = before and string.sub(info, before + 1, before + 40) or ''
  end
  local found = redis.call('HMGET', key, 'e', 'o', 'b', 'r', 't', 'x')
  local top, low, last = tonumber(found[2]), tonumber(found[3]), tonumber(found[5])
  if not (found[1] and top and low and last) or (ARGV[1] == '1' and found[4] ~= master) then return begin(master) end
  local room = { epoch = found[1], master = found[4] or '', top = top, low = low, last = last }
  room.floor = tonumber(found[6]) or 1
  if now - last > ttl then room.floor = top + 1 end
  return room
end

local function oldestOf(room) return math.max(room.low, room.floor, room.top - size + 1) end

-- A room to which nothing was sent has little to keep, and clients may ask for rooms of any name.
local function lifeOf(room) return room.top > 0 and metaTtl or math.min(metaTtl, 3600000) end

local function write(room)
  redis.call('UNLINK', key)
  redis.call('HSET', key, 'e', room.epoch, 'o', '0', 'b', '1', 'r', room.master, 't', room.last)
  redis.call('PEXPIRE', key, lifeOf(room))
end
`;

/**
 * Appends messages and publishes each. Redis takes back nothing of a script that fails, so one command writes all of the
 * messages, and it is the first that Redis can refuse; a publication that fails is only counted.
 *
 * ARGV: the deadline (ms since 1970), PUBLISH or SPUBLISH, the channel, whether the messages are sealed, whether any has an
 * idempotency key, what stands between the number and each entry; then for each message the entry, and where any has one its
 * idempotency key or `''`.
 *
 * Returns the epoch, how many were not published, why not, the fewest receivers of one (-1: none was published), and for each
 * message its offset, negative where it had been appended before.
 */
export const APPEND = new RedisScript(`${COMMON}
local KEY_LIFE, MOST_KEYS = 300000, 1000
local FIRST, STEP = 12, 1

-- Both are whole milliseconds: in that of the deadline it may be over already.
if now >= tonumber(ARGV[6]) then return { err = 'LATE Redis stood still for too long.' } end
local room, refusal = find()
if refusal then return refusal end

local top, set, count = room.top, { 't', now, 'o', 0 }, 4
local known, places, head, tail = {}, {}, 0, 0
local hasKeys = ARGV[10] == '1'
if hasKeys then
  STEP = 2
  for at = FIRST, #ARGV, STEP do
    local name = ARGV[at + 1]
    if name ~= '' and not room.isNew then
      local offset, since = string.match(redis.call('HGET', key, 'k:' .. name) or '', '^(%d+):(%d+):%d+$')
      if offset and now - since <= KEY_LIFE then known[name] = tonumber(offset) end
    end
  end
  if not room.isNew then
    local ends = redis.call('HMGET', key, 'h', 'q')
    head, tail = tonumber(ends[1]) or 0, tonumber(ends[2]) or 0
  end
end

local entries, offsets, lastPlace = {}, {}, tail
for at = FIRST, #ARGV, STEP do
  local name = hasKeys and ARGV[at + 1] or ''
  if known[name] then
    offsets[#offsets + 1] = -known[name]
  else
    top = top + 1
    entries[#entries + 1] = ARGV[at]
    offsets[#offsets + 1] = top
    if name ~= '' then
      tail = tail + 1
      known[name], places[name] = top, tail
      set[count + 1], set[count + 2] = 'k:' .. name, whole(top) .. ':' .. whole(now) .. ':' .. tail
      set[count + 3], set[count + 4] = 'i:' .. tail, name
      count = count + 4
    end
  end
end
if #entries == 0 then return { room.epoch, 0, '', -1, unpack(offsets) } end

set[4] = top
local before = room.top
local bottom = math.max(room.floor, top - size + 1)
local names = {}
for index, entry in ipairs(entries) do
  local name = whole(before + index)
  names[index] = name
  if before + index >= bottom then
    set[count + 1], set[count + 2] = name, entry
    count = count + 2
  end
end

local gone, low = {}, room.low
while low < bottom and low <= before and #gone < #entries + 256 do
  gone[#gone + 1] = whole(low)
  low = low + 1
end
if low > before and bottom > low then low = bottom end
if low ~= room.low or room.isNew then
  set[count + 1], set[count + 2] = 'b', low
  count = count + 2
end
if room.floor > low then
  set[count + 1], set[count + 2] = 'x', room.floor
  count = count + 2
elseif room.floor > room.low then
  gone[#gone + 1] = 'x'
end
if tail > lastPlace then
  local most = 2 * (tail - lastPlace) + 2
  while head < lastPlace and most > 0 do
    local oldest = redis.call('HGET', key, 'i:' .. head + 1) or ''
    local since, place = string.match(redis.call('HGET', key, 'k:' .. oldest) or '', '^%d+:(%d+):(%d+)$')
    local isOwn = tonumber(place) == head + 1
    if isOwn and now - since <= KEY_LIFE and tail - head <= MOST_KEYS then break end
    head, most = head + 1, most - 1
    gone[#gone + 1] = 'i:' .. head
    if isOwn and not places[oldest] then gone[#gone + 1] = 'k:' .. oldest end
  end
  set[count + 1], set[count + 2], set[count + 3], set[count + 4] = 'h', head, 'q', tail
  count = count + 4
end
if room.isNew then
  redis.call('UNLINK', key)
  set[count + 1], set[count + 2], set[count + 3], set[count + 4] = 'e', room.epoch, 'r', room.master
end
redis.call('HSET', key, unpack(set))
if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end
-- Once a minute is enough for a time that is an hour at least.
if room.isNew or before == 0 or math.floor(now / 60000) ~= math.floor(room.last / 60000) then
  redis.call('PEXPIRE', key, metaTtl)
end

local open, close = '{"n":["' .. room.epoch .. '",', '],' .. ARGV[11]
if ARGV[9] == '1' then open, close = '#["' .. room.epoch .. '",', ']\\n' end
local publish, command, channel = redis.pcall, ARGV[7], ARGV[8]
local unpublished, why, fewest = 0, '', -1
for index, entry in ipairs(entries) do
  local receivers = publish(command, channel, open .. names[index] .. close .. entry)
  if type(receivers) == 'table' then
    unpublished, why = unpublished + 1, receivers.err
  elseif fewest < 0 or receivers < fewest then
    fewest = receivers
  end
end
return { room.epoch, unpublished, why, fewest, unpack(offsets) }
`);

/**
 * Reads entries of a room, at most about 1 MiB of them; its top, with the limit 0. Removes entries that do not count any more.
 *
 * ARGV: the offset behind which it begins, the offset with which it ends or `''`, the limit, whether the newest come first.
 *
 * Returns the epoch, the top offset, the oldest offset that is kept, the offset of the first entry, and the entries; an entry
 * that is missing is `''`.
 */
export const READ = new RedisScript(`${COMMON}
local MOST_BYTES = 1048576

local room, refusal = find()
if refusal then return refusal end
if room.isNew then
  write(room)
elseif ARGV[1] ~= '1' or redis.call('PTTL', key) < lifeOf(room) * 0.99 then
  redis.call('PEXPIRE', key, lifeOf(room))
end
local oldest = oldestOf(room)
if oldest > room.low then
  local gone, low = {}, room.low
  while low < oldest and #gone < 1000 do
    gone[#gone + 1] = low
    low = low + 1
  end
  if low >= room.floor then gone[#gone + 1] = 'x' end
  redis.call('HDEL', key, unpack(gone))
  redis.call('HSET', key, 'b', low)
end
local from = math.max(tonumber(ARGV[6]) + 1, oldest)
local to = ARGV[7] == '' and room.top or math.min(tonumber(ARGV[7]), room.top)
local left = math.min(tonumber(ARGV[8]), to - from + 1)
local at, step = from, 1
if ARGV[9] == '1' then at, step = to, -1 end
local first, bytes, count, entries = at, 0, 0, {}
local many = 8
while left > 0 do
  local fields = {}
  for index = 1, math.min(many, left) do fields[index] = at + step * (index - 1) end
  for _, value in ipairs(redis.call('HMGET', key, unpack(fields))) do
    local entry = value or ''
    if count > 0 and bytes + #entry > MOST_BYTES then
      left = 0
      break
    end
    count, bytes, at, left = count + 1, bytes + #entry, at + step, left - 1
    entries[count] = entry
  end
  -- As many as are likely to fit, so that large ones are not read in vain.
  many = math.max(1, math.min(1000, math.floor((MOST_BYTES - bytes) / (bytes / math.max(count, 1) + 1))))
end
local answer = { room.epoch, room.top, oldest, first }
for index = 1, count do answer[4 + index] = entries[index] end
return answer
`);

/**
 * Removes all messages of a room, which begins a new epoch.
 *
 * ARGV: ms; a room whose epoch is younger stays as it is.
 *
 * Returns the epoch and the top offset.
 */
export const CLEAR = new RedisScript(`${COMMON}
local room, refusal = find()
if refusal then return refusal end
if not room.isNew then
  local age = now - (tonumber(string.match(room.epoch, '^(%d+)-')) or 0)
  -- An epoch of the future is one of a clock that was wrong.
  if age < tonumber(ARGV[6]) and age > -tonumber(ARGV[6]) then return { room.epoch, room.top } end
  room = begin(room.master)
end
write(room)
return { room.epoch, room.top }
`);
