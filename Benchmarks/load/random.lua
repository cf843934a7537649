-- wrk -s random.lua URL -- FILE: requests at random out of FILE, which has each behind a line with its length.

local requests = {}

function init(words)
    local file = assert(io.open(words[1], "rb"))
    for length in file:lines() do
        requests[#requests + 1] = file:read(tonumber(length))
        file:read(1)
    end
    math.randomseed(os.time())
end

function request()
    return requests[math.random(#requests)]
end
