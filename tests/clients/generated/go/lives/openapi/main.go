// The life of a product, through the Go client of openapi-generator.
package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"clients/expect"
	api "clients/openapi"
)

const (
	id   = "GO-OPENAPI"
	wait = "wait=10"
)

func client() *api.ProductsAPIService {
	configuration := api.NewConfiguration()
	configuration.Servers = api.ServerConfigurations{{URL: expect.URL}}
	return api.NewAPIClient(configuration).ProductsAPI
}

func main() {
	products := client()
	staff := context.WithValue(context.Background(), api.ContextAccessToken, expect.Token)

	creation := api.NewProductCreation("Go by openapi-generator", "A product of a client.", "1500.00")
	creation.SetProductId(id)
	creation.SetFeatures([]string{"10 GB"})
	_, answer, err := products.CreateProduct(staff).ProductCreation(*creation).Prefer(wait).Execute()
	expect.OK(err)
	expect.Equal("status of the creation", http.StatusCreated, answer.StatusCode)

	first, _, err := products.GetProduct(staff, id).Execute()
	expect.OK(err)
	edits := api.PatchedProductEdits{}
	edits.SetPrice("1600.00")
	edits.SetVersion(first.Version)
	edited, _, err := products.PatchProduct(staff, id).PatchedProductEdits(edits).Prefer(wait).Execute()
	expect.OK(err)
	expect.Equal("edited price", "1600.00", edited.Price)

	whole, _, err := products.GetProduct(staff, id).Execute()
	expect.OK(err)
	whole.Features = append(whole.Features, "E-mail")
	sentBack := api.ProductEdits{}
	expect.Convert(whole, &sentBack)
	put, _, err := products.UpdateProduct(staff, id).ProductEdits(sentBack).Prefer(wait).Execute()
	expect.OK(err)
	expect.Equal("features sent back", []string{"10 GB", "E-mail"}, put.Features)

	page, _, err := products.ListProducts(staff).Ids([]string{id}).Limit(5).Execute()
	expect.OK(err)
	expect.Equal("listed product", id, page.Products[0].ProductId)
	history, _, err := products.ListChanges(staff, id).Execute()
	expect.OK(err)
	expect.Equal("changes in the history", 3, len(history.Changes))
	receipt, _, err := products.GetReceipt(staff, id, 2).Execute()
	expect.OK(err)
	expect.Equal("type of the change", api.UPDATE_CHANGE_TYPE, receipt.ChangeType)
	for _, asOf := range []string{"1", first.UpdatedAt.Format(time.RFC3339Nano)} {
		earlier, _, err := products.GetProduct(staff, id).AsOf(asOf).Execute()
		expect.OK(err)
		expect.Equal("price as of "+asOf, "1500.00", earlier.Price)
	}

	_, answer, err = products.DeactivateProduct(staff, id).Prefer(wait).Execute()
	expect.OK(err)
	expect.Equal("status of the deletion", http.StatusNoContent, answer.StatusCode)
	_, answer, _ = products.GetProduct(context.Background(), id).Execute()
	expect.Equal("status for the public", http.StatusNotFound, answer.StatusCode)
	fmt.Println("complete")
}
