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
local size, ttl, metaTtl = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function whole(number) return string.format('%.0f', number) end

local function begin(master)
  return { isNew = true, epoch = whole(now) .. '-' .. ARGV[2], master = master, top = 0, low = 1, floor = 1, last = now }
end

local function find()
  local master = ''
  if ARGV[1] == '1' then
    local info = redis.pcall('INFO', 'replication')
    if type(info) == 'table' then return nil, { err = 'NOINFO ' .. info.err } end
    if string.find(info, 'role:slave', 1, true) then return nil, { err = 'READONLY This server is a replica.' } end
    master = string.match(info, 'master_replid:(%x+)') or ''
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

local function write(room)
  redis.call('UNLINK', key)
  redis.call('HSET', key, 'e', room.epoch, 'o', '0', 'b', '1', 'r', room.master, 't', whole(room.last))
  redis.call('PEXPIRE', key, metaTtl)
end
`;

/**
 * Appends messages and publishes each. Redis takes back nothing of a script that fails, so one command writes all of the
 * messages, and it is the first that Redis can refuse; a publication that fails is only counted.
 *
 * ARGV: the deadline (ms since 1970), PUBLISH or SPUBLISH, the channel, whether the messages are sealed; then for each message
 * what stands between its number and its entry, the entry, and its idempotency key or `''`.
 *
 * Returns the epoch, how many were not published, why not, the fewest receivers of one (-1: none was published), and for each
 * message its offset, negative where it had been appended before.
 */
export const APPEND = new RedisScript(`${COMMON}
local KEY_LIFE, MOST_KEYS = 300000, 1000
local FIRST = 10

if now > tonumber(ARGV[6]) then return { err = 'LATE Redis stood still for too long.' } end
local room, refusal = find()
if refusal then return refusal end

local keys, places = {}, {}
for at = FIRST, #ARGV, 3 do
  if ARGV[at + 2] ~= '' then
    if not room.isNew then
      local offset, since, place = string.match(redis.call('HGET', key, 'k:' .. ARGV[at + 2]) or '', '^(%d+):(%d+):(%d+)$')
      if offset and now - since <= KEY_LIFE then places[ARGV[at + 2]] = tonumber(offset) end
    end
    keys[#keys + 1] = ARGV[at + 2]
  end
end
local head, tail = 0, 0
if #keys > 0 and not room.isNew then
  local ends = redis.call('HMGET', key, 'h', 'q')
  head, tail = tonumber(ends[1]) or 0, tonumber(ends[2]) or 0
end

local set, news, offsets, added, lastKept = {}, {}, {}, {}, tail
local function put(field, value)
  set[#set + 1] = field
  set[#set + 1] = value
end
for at = FIRST, #ARGV, 3 do
  local known = places[ARGV[at + 2]]
  if known then
    offsets[#offsets + 1] = -known
  else
    room.top = room.top + 1
    news[#news + 1] = at
    offsets[#offsets + 1] = room.top
    if ARGV[at + 2] ~= '' then
      tail = tail + 1
      places[ARGV[at + 2]], added[ARGV[at + 2]] = room.top, true
      put('k:' .. ARGV[at + 2], whole(room.top) .. ':' .. whole(now) .. ':' .. whole(tail))
      put('i:' .. whole(tail), ARGV[at + 2])
    end
  end
end
if #news == 0 then return { room.epoch, 0, '', -1, unpack(offsets) } end

local isSealed = ARGV[9] == '1'
local open, close = '{"n":["' .. room.epoch .. '",', '],'
if isSealed then open, close = '#["' .. room.epoch .. '",', ']\\n' end
local bottom = math.max(room.floor, room.top - size + 1)
local first = room.top - #news + 1
for index, at in ipairs(news) do
  local offset = first + index - 1
  if offset >= bottom then put(whole(offset), (isSealed and '' or '{') .. ARGV[at + 1]) end
end

local gone, low = {}, room.low
while low < math.min(bottom, first) and #gone < #news + 256 do
  gone[#gone + 1] = whole(low)
  low = low + 1
end
if low == first and bottom > first then low = bottom end
if room.floor > low then put('x', whole(room.floor)) elseif room.floor > room.low then gone[#gone + 1] = 'x' end
if low ~= room.low or room.isNew then put('b', whole(low)) end
put('o', whole(room.top))
put('t', whole(now))
if tail > lastKept then
  local most = 2 * #keys + 2
  while head < lastKept and most > 0 do
    local oldest = redis.call('HGET', key, 'i:' .. whole(head + 1)) or ''
    local since, place = string.match(redis.call('HGET', key, 'k:' .. oldest) or '', '^%d+:(%d+):(%d+)$')
    local isOwn = tonumber(place) == head + 1
    if isOwn and now - since <= KEY_LIFE and tail - head <= MOST_KEYS then break end
    head, most = head + 1, most - 1
    gone[#gone + 1] = 'i:' .. whole(head)
    if isOwn and not added[oldest] then gone[#gone + 1] = 'k:' .. oldest end
  end
  put('h', whole(head))
  put('q', whole(tail))
end
if room.isNew then
  redis.call('UNLINK', key)
  put('e', room.epoch)
  put('r', room.master)
end
redis.call('HSET', key, unpack(set))
if #gone > 0 then redis.call('HDEL', key, unpack(gone)) end
redis.call('PEXPIRE', key, metaTtl)

local unpublished, why, fewest = 0, '', -1
for index, at in ipairs(news) do
  local text = open .. whole(first + index - 1) .. close .. ARGV[at] .. ARGV[at + 1]
  local receivers = redis.pcall(ARGV[7], ARGV[8], text)
  if type(receivers) == 'table' then
    unpublished, why = unpublished + 1, receivers.err
  elseif fewest < 0 or receivers < fewest then
    fewest = receivers
  end
end
return { room.epoch, unpublished, why, fewest, unpack(offsets) }
`);

/**
 * Reads entries of a room, at most about 1 MiB of them; its top, with the limit 0.
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
elseif ARGV[1] ~= '1' or redis.call('PTTL', key) < metaTtl * 0.99 then
  redis.call('PEXPIRE', key, metaTtl)
end
local oldest = oldestOf(room)
local from = math.max(tonumber(ARGV[6]) + 1, oldest)
local to = ARGV[7] == '' and room.top or math.min(tonumber(ARGV[7]), room.top)
local left = math.min(tonumber(ARGV[8]), to - from + 1)
local at, step = from, 1
if ARGV[9] == '1' then at, step = to, -1 end
local first, bytes, count, entries = at, 0, 0, {}
local many = 8
while left > 0 do
  local fields = {}
  for index = 1, math.min(many, left) do fields[index] = whole(at + step * (index - 1)) end
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
