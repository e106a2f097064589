-- Creates Pods: each with a name of its own, half with an approved image, half with one that nobody tracks, never used before.
-- wrk -s pods.lua URL -- POD IMAGES PREFIX PATH TOKEN
--   POD     file with the Pod; \1 for its name, \2 for its image
--   IMAGES  file, one approved image a line
--   PREFIX  hexadecimal digits of this run's own
--   PATH    where to create, with its query
--   TOKEN   bearer token
-- Prints one line of JSON at the end. "created" are the answers with status 201; "said" is the first other one.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

local pod, images, prefix, path, token, sent = nil, {}, nil, nil, nil, 0
created, refused, said = 0, 0, ""

function init(args)
  pod = io.open(args[1]):read("*a")
  for line in io.lines(args[2]) do
    table.insert(images, line)
  end
  prefix, path, token = args[3], args[4], args[5]
end

function request()
  sent = sent + 1
  local image = images[math.floor(sent / 2) % #images + 1]
  if sent % 2 == 0 then
    image = "registry.example.net/" .. prefix .. "/app-" .. sent .. ":1." .. sent % 10
  end
  local text = pod:gsub("\1", "web-" .. prefix .. "-" .. sent):gsub("\2", image)
  return "POST " .. path .. " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " .. token
    .. "\r\nContent-Type: application/json\r\nContent-Length: " .. #text .. "\r\n\r\n" .. text
end

function response(status, _, body)
  if status == 201 then
    created = created + 1
    return
  end
  refused = refused + 1
  if said == "" then
    said = status .. " " .. body:gsub('[%c"\\]', " "):sub(1, 600)
  end
end

function done(summary, latency)
  local sums, first = { created = 0, refused = 0 }, ""
  for _, thread in ipairs(threads) do
    for key, sum in pairs(sums) do
      sums[key] = sum + thread:get(key)
    end
    first = first == "" and thread:get("said") or first
  end
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '{"created":%d,"seconds":%.6f,"p50":%d,"p99":%d,"refused":%d,"broken":%d,"said":"%s"}\n',
    sums.created, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    sums.refused, broken, first))
end
