<?php
// The campaign routes on php-fpm, with PDO: a process handles one request at a time, and its database connection is
// persistent.

const COLUMNS = 'id, name, description, is_active, created_on, updated_on, version';

function rows(string $sql, array $values): array
{
    $database = new PDO(getenv('PDO_DSN'), 'postgres', '', [PDO::ATTR_PERSISTENT => true, PDO::ATTR_EMULATE_PREPARES => false]);
    $statement = $database->prepare($sql);
    $statement->execute($values);
    return $statement->fetchAll(PDO::FETCH_ASSOC);
}

function http_date(string $time): string
{
    return gmdate('D, d M Y H:i:s', strtotime("$time UTC")) . ' GMT';
}

function campaign(array $row): array
{
    return [
        'created_on' => http_date($row['created_on']), 'description' => $row['description'], 'id' => $row['id'],
        'is_active' => $row['is_active'], 'name' => $row['name'], 'updated_on' => http_date($row['updated_on']),
    ];
}

function respond(int $status, array $value): void
{
    $body = json_encode($value, JSON_UNESCAPED_SLASHES) . "\n";
    http_response_code($status);
    header('Content-Type: application/json');
    header('Content-Length: ' . strlen($body));
    echo $body;
}

function show_list(): void
{
    $rows = rows('SELECT ' . COLUMNS . ' FROM campaign ORDER BY id LIMIT ?', [$_GET['limit'] ?? null]);
    respond(200, array_map('campaign', $rows));
}

function show_one(string $id): void
{
    $rows = rows('SELECT ' . COLUMNS . ' FROM campaign WHERE id = ?', [$id]);
    $rows ? respond(200, campaign($rows[0])) : respond(404, ['message' => 'Not found.']);
}

function create(): void
{
    $fields = json_decode(file_get_contents('php://input'), true);
    $rows = rows(
        'INSERT INTO campaign (name, description, is_active) VALUES (?, ?, ?) RETURNING ' . COLUMNS,
        [$fields['name'], $fields['description'] ?? '', ($fields['is_active'] ?? true) ? 't' : 'f']);
    respond(201, campaign($rows[0]));
}

$path = strtok($_SERVER['REQUEST_URI'], '?');
parse_str((string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_QUERY), $_GET);
match (true) {
    $_SERVER['REQUEST_METHOD'] === 'POST' => create(),
    $path === '/campaigns/' => show_list(),
    default => show_one(substr($path, strlen('/campaigns/'))),
};
