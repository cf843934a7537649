-- wrk -s random.lua URL -- FILE: sends requests chosen at random from FILE, in which each is preceded by a line with its length.

local requests = {}

function init(arguments)
    local file = assert(io.open(arguments[1], "rb"))
    for length in file:lines() do
        requests[#requests + 1] = file:read(tonumber(length))
        file:read(1)
    end
    math.randomseed(os.time())
end

function request()
    return requests[math.random(#requests)]
end
