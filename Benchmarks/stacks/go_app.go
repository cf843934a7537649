// The campaign routes on Go's net/http, with database/sql and lib/pq. Usage: go_app SOCKET CONNINFO CONNECTIONS.
package main

import (
	"database/sql"
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	_ "github.com/lib/pq"
)

const columns = "id, name, description, is_active, created_on, updated_on, version"

type httpDate time.Time

func (date httpDate) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Time(date).UTC().Format(http.TimeFormat))
}

type campaign struct {
	CreatedOn   httpDate `json:"created_on"`
	Description string   `json:"description"`
	ID          int64    `json:"id"`
	IsActive    bool     `json:"is_active"`
	Name        string   `json:"name"`
	UpdatedOn   httpDate `json:"updated_on"`
}

var one, list, create *sql.Stmt

func prepare(database *sql.DB, statement string) *sql.Stmt {
	prepared, err := database.Prepare(statement)
	if err != nil {
		log.Fatal(err)
	}
	return prepared
}

func scan(row interface{ Scan(...any) error }) (found campaign, err error) {
	var created, updated time.Time
	var version int64
	err = row.Scan(&found.ID, &found.Name, &found.Description, &found.IsActive, &created, &updated, &version)
	found.CreatedOn, found.UpdatedOn = httpDate(created), httpDate(updated)
	return
}

func respond(response http.ResponseWriter, status int, value any, err error) {
	switch err {
	case nil:
	case sql.ErrNoRows:
		status, value = 404, map[string]string{"message": "Not found."}
	default:
		status, value = 500, map[string]string{"message": err.Error()}
	}
	body, _ := json.Marshal(value)
	response.Header().Set("Content-Type", "application/json")
	response.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	response.WriteHeader(status)
	response.Write(append(body, '\n'))
}

func showList(response http.ResponseWriter, request *http.Request) {
	rows, err := list.Query(sql.NullString{String: request.FormValue("limit"), Valid: request.FormValue("limit") != ""})
	if err != nil {
		respond(response, 500, nil, err)
		return
	}
	defer rows.Close()
	found := []campaign{}
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			respond(response, 500, nil, err)
			return
		}
		found = append(found, row)
	}
	respond(response, 200, found, rows.Err())
}

func add(response http.ResponseWriter, request *http.Request) {
	fields := campaign{IsActive: true}
	if err := json.NewDecoder(request.Body).Decode(&fields); err != nil {
		respond(response, 500, nil, err)
		return
	}
	created, err := scan(create.QueryRow(fields.Name, fields.Description, fields.IsActive))
	respond(response, 201, created, err)
}

func handle(response http.ResponseWriter, request *http.Request) {
	tail := strings.TrimPrefix(request.URL.Path, "/campaigns/")
	switch {
	case request.Method == "POST":
		add(response, request)
	case tail == "":
		showList(response, request)
	default:
		found, err := scan(one.QueryRow(tail))
		respond(response, 200, found, err)
	}
}

func main() {
	database, err := sql.Open("postgres", os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	connections, _ := strconv.Atoi(os.Args[3])
	database.SetMaxOpenConns(connections)
	database.SetMaxIdleConns(connections)
	one = prepare(database, "SELECT "+columns+" FROM campaign WHERE id = $1")
	list = prepare(database, "SELECT "+columns+" FROM campaign ORDER BY id LIMIT $1")
	create = prepare(database, "INSERT INTO campaign (name, description, is_active) VALUES ($1, $2, $3) RETURNING "+columns)
	os.Remove(os.Args[1])
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.Serve(listener, http.HandlerFunc(handle)))
}
