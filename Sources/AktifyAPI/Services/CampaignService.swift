import ORM

/// The service of campaigns, which adds no business rules to those of every resource.
struct CampaignService: ResourceService {
    let rows: any Repository<Campaign>
}
