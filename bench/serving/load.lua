-- wrk -s load.lua URL -- FILE lines|whole TYPE [HEADER VALUE]
-- Sends the file's lines in turn, or the whole file.
local bodies, at = {}, 0

function init(args)
  local file = io.open(args[1], "rb")
  if args[2] == "lines" then
    for line in file:lines() do bodies[#bodies + 1] = line end
  else
    bodies[1] = file:read("*a")
  end
  file:close()
  wrk.method = "POST"
  wrk.headers["content-type"] = args[3]
  if args[4] then wrk.headers[args[4]] = args[5] end
  wrk.body = bodies[1]
  if #bodies > 1 then
    request = function()
      at = at % #bodies + 1
      return wrk.format(nil, nil, nil, bodies[at])
    end
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\n{"requests":%d,"seconds":%f,"non2xx":%d,"errors":%d,"p50Ms":%f,"p99Ms":%f}\n', summary.requests, summary.duration / 1e6,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
