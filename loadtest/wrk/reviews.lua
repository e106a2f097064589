-- Sends AdmissionReviews that are never the same: each with a uid, and new images, never used before.
-- wrk -s reviews.lua URL -- EXPECTS BODIES NEW_IMAGES PREFIX FIRST [DELAY CONNECTIONS]
--   EXPECTS     who answers: gate (denies listed images), map (knows the hot ones alone), static (admits all)
--   BODIES      file, one body a line: are its hot images admitted (1 or 0), tab, the body; \1 for uid, \2 for an image
--   NEW_IMAGES  file, one image of the world a line: is it admitted (1 or 0), tab, its name
--   PREFIX      8 hexadecimal digits of this run's own
--   FIRST       number of the first request: it says where in NEW_IMAGES to begin
--   DELAY       milliseconds that a connection waits on average between an answer and its next request; before its
--               first one a second more, so that no handshake is in the way
-- Prints one line of JSON at the end. Whether an answer was expected is written in the uid, which comes back in it.

local SAMPLE = 31 -- every so many answers are read: no divisor of what recurs in the bodies
local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

local bodies, images, expects, prefix, sent, made, answered
not_ok, wrong, read = 0, 0, 0

local function read_lines(name)
  local lines = {}
  for line in io.lines(name) do
    table.insert(lines, { line:sub(1, 1) == "1", line:sub(3) })
  end
  return lines
end

local function split(body) -- text, place, text, place, …, text
  local pieces, from = {}, 1
  for at, place in body:gmatch("()([\1\2])") do
    table.insert(pieces, body:sub(from, at - 1))
    table.insert(pieces, place)
    from = at + 1
  end
  table.insert(pieces, body:sub(from))
  return pieces
end

function init(args)
  expects, prefix, sent, made, answered = args[1], args[4], tonumber(args[5]), tonumber(args[5]), 0
  bodies, images = read_lines(args[2]), read_lines(args[3])
  for _, body in ipairs(bodies) do
    body.pieces = split(body[2])
    body[2] = nil
  end
  local mean = tonumber(args[6])
  if mean then
    math.randomseed(tonumber(prefix, 16))
    local begun, connections = 0, tonumber(args[7])
    delay = function()
      begun = begun + 1
      return math.random(0, 2 * mean) + (begun <= connections and 1000 or 0)
    end
  end
end

local function make_image() -- half of them of the world, half not tracked; gives also whether it is admitted
  made = made + 1
  if made % 2 == 0 then
    return "registry.example.net/" .. prefix .. "/app-" .. made .. ":1." .. made % 10, true
  end
  local image = images[(made - 1) / 2 % #images + 1]
  return image[2], image[1] or expects ~= "gate"
end

local parts = {}
function request()
  sent = sent + 1
  local body = bodies[sent % #bodies + 1]
  local pieces, admitted, uid_at = body.pieces, body[1], 0
  for at = 1, #pieces do
    local piece = pieces[at]
    if piece == "\1" then
      uid_at = at
    elseif piece == "\2" then
      local image, is_admitted = make_image()
      parts[at], admitted = image, admitted and is_admitted
    else
      parts[at] = piece
    end
  end
  parts[uid_at] = string.format("%s-%04x-4%s-8000-%012x", prefix, number, admitted and "aaa" or "ddd", sent)
  local text = table.concat(parts, "", 1, #pieces)
  return "POST " .. wrk.path .. " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
    .. #text .. "\r\n\r\n" .. text
end

function response(status, _, body)
  if status ~= 200 then
    not_ok = not_ok + 1
    return
  end
  answered = answered + 1
  if answered % SAMPLE > 0 then
    return
  end
  read = read + 1
  local verdict = expects == "static" and "aaa" or body:match('"uid":"' .. prefix .. "%-%x+%-4(%x+)%-")
  if not verdict or not body:find('"allowed":' .. (verdict == "aaa" and "true" or "false"), 1, true) then
    wrong = wrong + 1
  end
end

function done(summary, latency)
  local sums = { not_ok = 0, wrong = 0, read = 0 }
  for _, thread in ipairs(threads) do
    for key, sum in pairs(sums) do
      sums[key] = sum + thread:get(key)
    end
  end
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"p50":%d,"p99":%d,"max":%d,"not_ok":%d,"wrong":%d,"read":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99), latency.max,
    sums.not_ok, sums.wrong, sums.read, broken))
end
