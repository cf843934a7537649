-- wrk -s versions.lua URL -- COUNT: updates the campaigns 1 to COUNT in turn, each with its current version in If-Match; all start at version 1.

local count, sent = 1, 0

function init(arguments)
    count = tonumber(arguments[1])
end

local head = "PATCH /campaigns/%d HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/merge-patch+json\r\n"
local rest = 'If-Match: "%d"\r\nContent-Length: 22\r\n\r\n{"name":"Summer sale"}'

function request()
    local id, version = sent % count + 1, math.floor(sent / count) + 1
    sent = sent + 1
    return (head .. rest):format(id, version)
end
