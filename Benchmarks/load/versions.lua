-- wrk -s versions.lua URL -- COUNT: changes the campaigns 1 to COUNT in turn, each with the version that it has by then: all begin with 1.

local count, place = 1, 0

function init(words)
    count = tonumber(words[1])
end

local head = "PATCH /campaigns/%d HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/merge-patch+json\r\n"
local rest = 'If-Match: "%d"\r\nContent-Length: 22\r\n\r\n{"name":"Summer sale"}'

function request()
    local id, version = place % count + 1, math.floor(place / count) + 1
    place = place + 1
    return (head .. rest):format(id, version)
end
