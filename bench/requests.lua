-- Copyright (C) The nginx camera platform authors

-- wrk sends the requests of a file one after the other, from a random place
-- on; each line is a path, a tab and an access token.
--
--   wrk … -s requests.lua URL -- FILE [PAUSE]
--
-- With PAUSE each connection waits so many milliseconds on average before a
-- request, which is not part of the latency.  The last line is the result, for
-- Bench::Api: requests, microseconds, p50 and p99 in microseconds, errors.

local requests = {}
local last
local pause

function init(args)
   pause = tonumber(args[2])

   -- wrk looks for a function of this name once, after this one
   if pause then
      delay = wait
   end

   for line in io.lines(args[1]) do
      local path, token = line:match("^(%S+)\t(%S+)$")
      local headers = { ["Authorization"] = "Bearer " .. token }
      requests[#requests + 1] = wrk.format("GET", path, headers)
   end

   math.randomseed(os.time())
   last = math.random(#requests)
end

function request()
   last = last % #requests + 1
   return requests[last]
end

function wait()
   return math.random(0, 2 * pause)
end

function done(summary, latency)
   local e = summary.errors

   print(string.format("result %d %d %d %d %d", summary.requests,
      summary.duration, latency:percentile(50), latency:percentile(99),
      e.connect + e.read + e.write + e.timeout + e.status))
end
