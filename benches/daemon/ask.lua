-- What wrk asks: a body with one of 100 000 users, as text with `%d` for the user's number.
-- Arguments: the path with its query, and the body.

dofile("benches/daemon/found.lua")

local path, body

function init(arguments)
  path, body = arguments[1], arguments[2]
  -- Threads of wrk know nothing of each other: the address of a table tells them apart.
  math.randomseed(tonumber(tostring({}):match("0x(%x+)"), 16) % 2147483647)
end

function request()
  local headers = { ["Content-Type"] = "application/json" }
  return wrk.format("POST", path, headers, body:format(math.random(0, 99999)))
end
