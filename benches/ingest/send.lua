-- What wrk sends: bodies with so many events, each of one of 100 000 users and with an id of its own.
-- Arguments: the path, how many events, and what a body begins with, an event and the end, as text in which
-- `%U` is the user's number, `%N` the event's and `%R` the request's.

dofile("benches/daemon/found.lua")

local path, bodies, token, sent

function init(arguments)
  local count, first, event, last = tonumber(arguments[2]), arguments[3], arguments[4], arguments[5]
  path = arguments[1]
  -- Threads of wrk, and runs, know nothing of each other: the address of a table and the time tell them apart.
  local seed = tonumber(tostring({}):match("0x(%x+)"), 16) % 2147483647
  math.randomseed(seed)
  token, sent, bodies = string.format("%x-%x-", os.time(), seed), 0, {}
  for body = 1, math.max(64, math.floor(8192 / count)) do
    local events = {}
    for number = 1, count do
      local user = tostring(math.random(0, 99999))
      events[number] = event:gsub("%%U", user):gsub("%%N", tostring(number))
    end
    bodies[body] = first .. table.concat(events, ",") .. last
  end
end

function request()
  sent = sent + 1
  local body = bodies[sent % #bodies + 1]:gsub("%%R", token .. sent)
  return wrk.format("POST", path, { ["Content-Type"] = "application/json" }, body)
end
